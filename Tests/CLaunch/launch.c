// SPDX-License-Identifier: MIT

#define _GNU_SOURCE
#include "CLaunch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_limit(int resource, unsigned long value) {
    if (value == 0) return 0;
    struct rlimit limit;
    if (getrlimit(resource, &limit) == -1) return -1;
    if (value > limit.rlim_max) value = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max = value;
    return setrlimit(resource, &limit);
}

static void default_signals(void) {
    // By the system call itself: signal(3) refuses 32 and 33, which the C library keeps for itself, and
    // a parent may have handed them on ignored. All zeros is SIG_DFL; 8 is the size of the kernel's mask.
    static const long kernel_default[4];
    for (int number = 1; number <= 64; number++)
        syscall(SYS_rt_sigaction, number, kernel_default, NULL, 8);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// In the child, after fork: only calls that are safe in a copy of a process with many threads.
static void become(const struct launch_request *r, int report, int go, pid_t parent) {
    int wanted[] = {r->input, r->output, r->error, r->kept};
    int count = r->kept == -1 ? 3 : 4;
    int moved[4];
    // A session of its own is a process group of its own, and, where the scheduler groups by
    // session (sched(7), autogroup), keeps a program that forks without end from starving its
    // observer.
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // The parent ended before the line above took effect.
    default_signals();
    char byte;
    // A traced child waits here until it is traced.
    if (r->traced_count > 0 && read(go, &byte, 1) != 1) _exit(127);
    // First out of the way of 0 to 3, then into place: a source may itself be one of 0 to 3.
    if ((report = fcntl(report, F_DUPFD_CLOEXEC, 10)) == -1) return;
    for (int i = 0; i < count; i++)
        if ((moved[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 10)) == -1) return;
    for (int i = 0; i < count; i++)
        if (dup2(moved[i], i) == -1) return;
    if (report != 9 && dup3(report, 9, O_CLOEXEC) == -1) return;
    for (int fd = count; fd < 9; fd++) close(fd);
    syscall(SYS_close_range, 10, ~0U, 0);
    if (r->directory && chdir(r->directory) == -1) return;
    if (set_limit(RLIMIT_NOFILE, r->open_files) || set_limit(RLIMIT_FSIZE, r->file_bytes) ||
        set_limit(RLIMIT_CPU, r->cpu_seconds) || set_limit(RLIMIT_STACK, r->stack_bytes))
        return;
    if (r->traced_count > 0 && trace_install_filter(r->traced_calls, r->traced_count) == -1) return;
    execve(r->path, r->arguments, r->environment);
}

int launch(const struct launch_request *request) {
    int report[2], go[2];
    if (pipe2(report, O_CLOEXEC) == -1) return -1;
    if (pipe2(go, O_CLOEXEC) == -1) return -1;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        become(request, report[1], go[0], parent);
        int reason = errno;
        // 9 is the report if become got that far; before that it still has its old number.
        if (write(9, &reason, sizeof reason) == -1) (void)!write(report[1], &reason, sizeof reason);
        _exit(127);
    }
    int reason = child == -1 ? errno : 0;
    close(report[1]);
    close(go[0]);
    int traced = child != -1 && request->traced_count > 0;
    if (traced && (trace_attach(child) == -1 || write(go[1], "", 1) != 1)) {
        reason = errno;
        kill(child, SIGKILL);
        waitpid(child, NULL, __WALL);
        child = -1;
    }
    close(go[1]);
    // execve closes the pipe: end of file means that the program runs. A traced program is let run by
    // this thread, which therefore cannot wait for that here.
    if (child != -1 && !traced && read(report[0], &reason, sizeof reason) == sizeof reason) {
        waitpid(child, NULL, 0);
        child = -1;
    }
    close(report[0]);
    errno = reason;
    return child;
}

int adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int drop_capability(int number) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    // From the bounding set first: without that, root's next execve would bring it back.
    if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == -1) return -1;
    if (syscall(SYS_capget, &header, sets) == -1) return -1;
    struct __user_cap_data_struct *set = &sets[number / 32];
    unsigned others = ~(1U << number % 32);
    set->effective &= others;
    set->permitted &= others;
    set->inheritable &= others;
    return (int)syscall(SYS_capset, &header, sets);
}

int pidfd_open_call(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int pidfd_getfd_call(int pidfd, int fd) { return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0); }
