#include "telemetry/access_log_writer.h"

#include <array>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/telemetry/log_file.h"

namespace adit::telemetry {
namespace {

AccessLogChunk chunk(const std::string& line, std::uint64_t lines = 1) {
  AccessLogChunk made;
  for (std::uint64_t i = 0; i < lines; ++i) made.bytes += line + "\n";
  made.lines = lines;
  return made;
}

/// A named pipe that is read only when the test says so.
class Pipe {
 public:
  explicit Pipe(const LogFile& file) {
    EXPECT_EQ(mkfifo(file.path().c_str(), 0600), 0);
    reader_ = open(file.path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    EXPECT_GE(reader_, 0);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() { close_reader(); }

  void close_reader() {
    if (reader_ >= 0) close(reader_);
    reader_ = -1;
  }

  /// Until the writer closes its end.
  std::string read_all() {
    fcntl(reader_, F_SETFL, 0);
    std::string text;
    std::array<char, 8192> bytes;
    for (ssize_t size = 0; (size = read(reader_, bytes.data(), bytes.size())) > 0;) {
      text.append(bytes.data(), static_cast<std::size_t>(size));
    }
    return text;
  }

 private:
  int reader_ = -1;
};

TEST(AccessLogWriter, AppendsChunksInOrder) {
  const LogFile file;
  std::ofstream(file.path()) << "before\n";
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  for (const auto* line : {"one", "two", "three"}) (void)(*writer)->exchange(chunk(line));
  EXPECT_EQ((*writer)->dropped_lines(), 0U);
  writer->reset();
  EXPECT_EQ(file.text(), "before\none\ntwo\nthree\n");
}

TEST(AccessLogWriter, GivesBackAnEmptyChunkWithRoom) {
  const LogFile file;
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  for (int i = 0; i < 10; ++i) {
    const auto empty = (*writer)->exchange(chunk("line"));
    EXPECT_TRUE(empty.bytes.empty());
    EXPECT_EQ(empty.lines, 0U);
  }
  EXPECT_GE((*writer)->exchange({}).bytes.capacity(), kFullBuffer);
}

TEST(AccessLogWriter, SaysWhyAFileCannotBeOpened) {
  const auto writer = AccessLogWriter::start({.file = "/nowhere/access.log"});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error(), "access log /nowhere/access.log cannot be opened: No such file or directory");
}

TEST(AccessLogWriter, WritesToANewFileAfterARotation) {
  const LogFile file;
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  const auto rotated = file.path().string() + ".1";
  std::filesystem::rename(file.path(), rotated);
  (*writer)->reopen();
  (void)(*writer)->exchange(chunk("after"));
  writer->reset();
  EXPECT_EQ(file.text(), "after\n");
  EXPECT_EQ(LogFile::text_of(rotated), "");
  std::filesystem::remove(rotated);
}

TEST(AccessLogWriter, GoesOnInTheOldFileIfTheNewOneCannotBeOpened) {
  const LogFile folder;
  std::filesystem::create_directory(folder.path());
  const auto moved = folder.path().string() + ".1";
  auto writer = AccessLogWriter::start({.file = folder.path() / "access.log"});
  ASSERT_TRUE(writer) << writer.error();
  std::filesystem::rename(folder.path(), moved);
  testing::internal::CaptureStderr();
  (*writer)->reopen();
  (void)(*writer)->exchange(chunk("line"));
  writer->reset();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("cannot be reopened"), std::string::npos);
  EXPECT_EQ(LogFile::text_of(moved + "/access.log"), "line\n");
  std::filesystem::remove_all(moved);
}

TEST(AccessLogWriter, LinesOfSeveralWorkersStayWhole) {
  constexpr int kWorkers = 4;
  constexpr int kChunks = 200;
  const LogFile file;
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&, worker] {
      for (int i = 0; i < kChunks; ++i) {
        (void)(*writer)->exchange(chunk(std::to_string(worker) + ":" + std::to_string(i)));
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ((*writer)->dropped_lines(), 0U);
  writer->reset();
  std::set<std::string> lines;
  std::istringstream text(file.text());
  for (std::string line; std::getline(text, line);) lines.insert(line);
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(kWorkers * kChunks));
  EXPECT_TRUE(lines.contains("3:199"));
}

TEST(AccessLogWriter, AStuckOutputDropsLinesAndHoldsUpNobody) {
  const LogFile file;
  Pipe pipe(file);
  auto writer = AccessLogWriter::start({.file = file.path(), .queue_bytes = 256 * 1024});
  ASSERT_TRUE(writer) << writer.error();
  const std::string line(999, 'x');
  // Far more than the pipe (64 KiB) and the queue hold. If exchange waited, this would not end.
  for (int i = 0; i < 100; ++i) (void)(*writer)->exchange(chunk(line, 32));
  const auto dropped = (*writer)->dropped_lines();
  EXPECT_GE(dropped, 3200U - (64U + 256U + 64U));
  EXPECT_LE(dropped, 3200U - 256U / 32U);
  // Once it is read again, all that was not dropped arrives in whole lines.
  std::thread ending([&] { writer->reset(); });
  const auto text = pipe.read_all();
  ending.join();
  EXPECT_EQ(text.size(), (3200 - dropped) * 1000);
  for (std::size_t i = 999; i < text.size(); i += 1000) ASSERT_EQ(text[i], '\n') << i;
}

TEST(AccessLogWriter, ShortChunksThatWaitAreGathered) {
  const LogFile file;
  Pipe pipe(file);
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  // The first ones fill the pipe, so that the rest has to wait.
  for (int i = 0; i < 4; ++i) (void)(*writer)->exchange(chunk(std::string(999, 'x'), 32));
  std::string expected;
  for (int i = 0; i < 10'000; ++i) {
    const auto line = std::to_string(i);
    (void)(*writer)->exchange(chunk(line));
    expected += line + "\n";
  }
  EXPECT_EQ((*writer)->dropped_lines(), 0U);
  std::thread ending([&] { writer->reset(); });
  const auto text = pipe.read_all();
  ending.join();
  ASSERT_EQ(text.size(), 4U * 32 * 1000 + expected.size());
  EXPECT_EQ(text.substr(4U * 32 * 1000), expected);
}

TEST(AccessLogWriter, EndsAlthoughItsOutputIsStuck) {
  const LogFile file;
  const Pipe pipe(file);
  testing::internal::CaptureStderr();
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  for (int i = 0; i < 10; ++i) (void)(*writer)->exchange(chunk(std::string(999, 'x'), 32));
  writer->reset();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("lines are dropped"), std::string::npos);
}

TEST(AccessLogWriter, AFullDiskIsCountedAndReportedOnce) {
  testing::internal::CaptureStderr();
  auto writer = AccessLogWriter::start({.file = "/dev/full"});
  ASSERT_TRUE(writer) << writer.error();
  for (int i = 0; i < 5; ++i) (void)(*writer)->exchange(chunk("line", 10));
  while ((*writer)->dropped_lines() < 50) std::this_thread::yield();
  writer->reset();
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("No space left on device"), std::string::npos) << log;
  EXPECT_EQ(log.find("lines are dropped"), log.rfind("lines are dropped")) << log;
}

TEST(AccessLogWriter, AClosedPipeIsAnErrorAndNoSignal) {
  const LogFile file;
  Pipe pipe(file);
  testing::internal::CaptureStderr();
  auto writer = AccessLogWriter::start({.file = file.path()});
  ASSERT_TRUE(writer) << writer.error();
  pipe.close_reader();
  (void)(*writer)->exchange(chunk("line", 7));
  while ((*writer)->dropped_lines() < 7) std::this_thread::yield();
  writer->reset();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("Broken pipe"), std::string::npos);
}

}  // namespace
}  // namespace adit::telemetry
