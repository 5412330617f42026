// SPDX-License-Identifier: MIT
//
// CLaunch starts a program the way the harness needs it: with nothing inherited but three
// descriptors, in a session of its own, with limits, and never outliving its parent.
// posix_spawn(3) can do neither of the last two, and between fork and exec Swift code must not run.

#ifndef CLAUNCH_H
#define CLAUNCH_H

/// What to start and within which bounds. A limit of 0 leaves the parent's limit as it is.
struct launch_request {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;           // NULL: the parent's
    int input, output, error;        // become descriptors 0, 1, 2
    int kept;                        // becomes descriptor 3, or -1: none
    unsigned long open_files;        // RLIMIT_NOFILE
    unsigned long file_bytes;        // RLIMIT_FSIZE, which holds for memfds too
    unsigned long cpu_seconds;       // RLIMIT_CPU, of the process as a whole
    unsigned long stack_bytes;       // RLIMIT_STACK, the default of each thread's stack too
};

/// Starts the program. Gives its pid, or -1 with errno set when it could not be executed.
int launch(const struct launch_request *request);

/// Makes this process the parent of every orphan below it, so that none escapes. See prctl(2).
int adopt_orphans(void);

/// pidfd_open(2): a descriptor that becomes readable when the process has ended.
int pidfd_open_call(int pid);

/// pidfd_getfd(2): a copy of a descriptor of another process.
int pidfd_getfd_call(int pidfd, int fd);

#endif
