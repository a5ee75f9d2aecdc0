/* What holds a pod's namespaces: waits, buries orphans, and ends when it is told to. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int number) {
  (void)number;
  _exit(0);
}

static void bury(int number) {
  (void)number;
  int kept = errno;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
  errno = kept;
}

int main(void) {
  struct sigaction ended = {.sa_handler = end};
  struct sigaction child = {.sa_handler = bury, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
  sigaction(SIGINT, &ended, NULL);
  sigaction(SIGTERM, &ended, NULL);
  sigaction(SIGCHLD, &child, NULL);
  for (;;) {
    pause();
  }
}
