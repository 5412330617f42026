// SPDX-License-Identifier: MIT
//
// The few functions of CLinux.h that cannot be inline: each needs glibc's own declarations, which
// appear only with _GNU_SOURCE, or must not return to its caller in the child.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "CLinux.h"

// CLinux.h copies these numbers for Swift. If a platform disagrees, the build stops here.
_Static_assert(POLLRDHUP == 0x2000, "POLLRDHUP");
_Static_assert(O_PATH == 010000000, "O_PATH");
_Static_assert(F_SETSIG == 10 && F_GETSIG == 11, "F_SETSIG, F_GETSIG");
_Static_assert(F_SETOWN_EX == 15 && F_GETOWN_EX == 16, "F_SETOWN_EX, F_GETOWN_EX");
_Static_assert(SPLICE_F_MOVE == 1 && SPLICE_F_NONBLOCK == 2 && SPLICE_F_MORE == 4, "SPLICE_F_*");
_Static_assert(sizeof(fd_set) * 8 == FD_SETSIZE, "fd_set holds FD_SETSIZE bits");
_Static_assert(sizeof(long) == 8, "fd_set is written in words of 64 bits");

long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
    return syscall(number, a, b, c, d, e, f);
}

int prctl4(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}

long ptrace3(int request, pid_t pid, unsigned long address, unsigned long data) {
    return ptrace(request, pid, address, data);
}

mqd_t mq_open_create(const char *name, int flags, mode_t mode, struct mq_attr *attributes) {
    return mq_open(name, flags, mode, attributes);
}

__attribute__((noinline)) pid_t vfork_execve(const char *path, char *const argv[],
                                             char *const envp[]) {
    pid_t child = vfork();
    if (child == 0) {
        execve(path, argv, envp);
        _exit(127);
    }
    return child;
}

int clone_call(int (*function)(void *), void *stack_top, int flags, void *argument) {
    return clone(function, stack_top, flags, argument);
}
