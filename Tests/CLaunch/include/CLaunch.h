// SPDX-License-Identifier: MIT
//
// CLaunch starts a program the way the harness needs it: with nothing inherited but three
// descriptors, in a session of its own, with limits, and never outliving its parent.
// posix_spawn(3) can do neither of the last two, and between fork and exec Swift code must not run.

#ifndef CLAUNCH_H
#define CLAUNCH_H

#include <linux/capability.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

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
    const int *traced_calls;         // numbers of the system calls that stop the program, or NULL
    int traced_count;
};

/// Starts the program. Gives its pid, or -1 with errno set when it could not be executed.
int launch(const struct launch_request *request);

/// Makes this process the parent of every orphan below it, so that none escapes. See prctl(2).
int adopt_orphans(void);

/// Gives up a capability, for this thread and for what it starts. -1 with EPERM for who has no
/// CAP_SETPCAP, and so nothing to give up as a rule. See capabilities(7).
int drop_capability(int number);

/// pidfd_open(2): a descriptor that becomes readable when the process has ended.
int pidfd_open_call(int pid);

/// pidfd_getfd(2): a copy of a descriptor of another process.
int pidfd_getfd_call(int pidfd, int fd);

// ---- Tracing. See ptrace(2) and seccomp(2). ----
//
// A program that is launched with `traced_calls` is traced by the thread that has launched it, from its
// first instruction on, with all its threads and children. A seccomp filter lets every other call
// through at full speed. ptrace knows threads, not processes: only the launching thread may use what
// follows.

/// Why a traced thread has stopped, or how it has ended.
enum trace_kind {
    TRACE_CALL,     // before a call of interest: `number` and `arguments` are set
    TRACE_RETURN,   // after that call: `result` is set, negative for an error
    TRACE_SIGNAL,   // before `signal` is delivered
    TRACE_FORK,     // after a fork or clone: `result` is the new thread's or process's id
    TRACE_EXEC,     // a new program has begun
    TRACE_STOPPED,  // the whole process is stopped by `signal`
    TRACE_OTHER,    // nothing that anybody asked for
    TRACE_ENDED,    // `status` is as wait(2) gives it
};

struct trace_stop {
    int thread;
    enum trace_kind kind;
    int signal;
    int status;
    long number;
    unsigned long arguments[6];
    long result;
};

/// Waits for the next stop of any traced thread. 0, or -1 with ECHILD when there is none left.
int trace_wait(struct trace_stop *stop);

/// Lets a thread go on, until its present call returns or until its next call of interest, and hands
/// it a signal, or 0 for none.
int trace_resume(int thread, int until_return, int signal);

/// Leaves a stopped process stopped, and still hears of it. For TRACE_STOPPED.
int trace_listen(int thread);

/// At TRACE_CALL: the call is not made. Its result must be set at TRACE_RETURN.
int trace_skip(int thread);

/// At TRACE_RETURN: what the call returns; negative for an error number.
int trace_set_result(int thread, long result);

/// At either stop: one of the call's first three arguments.
int trace_set_argument(int thread, int index, unsigned long value);

/// At TRACE_RETURN of a call that was skipped: the thread makes it anew, after it has handled its signals.
int trace_repeat(int thread, long number, unsigned long first_argument);

/// In the child, before execve: stop at these calls from now on. For launch.c.
int trace_install_filter(const int *calls, int count);

/// In the parent: trace the child, which waits. For launch.c.
int trace_attach(int pid);

#endif
