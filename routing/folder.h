#pragma once
// What a folder of manifests stands for while its files come, change, break and go. Pure: the shell scans and reads.

#include <map>
#include <string>
#include <vector>

#include "routing/digest.h"
#include "routing/manifest.h"

namespace adit::routing {

/// One file of a scan.
struct FileText {
  std::string name;  ///< as it is to stand in problems
  std::string text;
  std::string error;  ///< why it could not be read; empty when it could
};

struct FolderChange {
  bool changed = false;          ///< the objects are not those of the update before: compile anew
  bool refused_changed = false;  ///< the refused files or their problems differ: worth a log line
  std::vector<Problem> refused;  ///< problems of all files that are refused now, by file name
};

/// A file is taken whole or not at all: one that became bad or unreadable keeps the objects of its last good text until
/// it is good again or gone. Only files whose bytes changed are parsed. A file cut short while it is being written may
/// well be good YAML: the shell reads after it was closed, not while it grows. Not safe to share.
class FolderState {
 public:
  /// The folder as it is now: begin_scan(), every file of it once, end_scan(). One by one, so that no more than one
  /// text is in memory. The first scan always counts as a change.
  void begin_scan();
  void take(const FileText& file);
  FolderChange end_scan();

  /// The good objects of all files, by file name. Made for the call: what is compiled needs them no longer.
  Objects objects() const;

 private:
  struct File {
    bool is_read = false;  ///< `digest` is that of the last text
    bool is_seen = false;  ///< in the present scan
    Sha256 digest{};
    Objects objects;  ///< of the last good text
    std::vector<Problem> problems;
  };

  /// True when the file's objects may have changed.
  static bool read(File& file, const FileText& now);

  std::map<std::string, File> files_;
  std::vector<Problem> refused_;
  bool is_first_ = true;
  bool changed_ = false;  ///< in the present scan
};

}  // namespace adit::routing
