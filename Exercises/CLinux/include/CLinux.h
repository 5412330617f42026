// SPDX-License-Identifier: MIT
//
// CLinux: the part of Linux that Swift cannot import from Glibc by itself.
//
// Swift's Glibc module brings most of the C library: socket, bind, read, poll, fork. Three kinds of
// thing are left out, and this header brings each of them back under its own name, so that what you
// write looks like the manual page:
//
//   1. whole headers that the Glibc module does not list (epoll, eventfd, timerfd, ...);
//   2. calls that glibc shows only when _GNU_SOURCE is defined (accept4, ppoll, pipe2, ...). They
//      are declared again here. Defining _GNU_SOURCE for Swift instead would change the types of
//      bind and accept, and they would stop compiling;
//   3. macros and functions with `...`, which Swift cannot call. Each gets a small function here.
//
// Nothing in here does any work of its own. If a page of section 2 or 3 of the manual describes a
// call, this header adds nothing to the description.

#ifndef CLINUX_H
#define CLINUX_H

// Both Swift's Glibc module and this one would otherwise hold a copy of the headers below, and in a
// compiler process that has read this copy a file that imports Glibc alone finds no SOCK_STREAM any
// more. With the module imported first, the headers' include guards are known, and CLinux holds only
// what is its own.
#if __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif

#include <aio.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <linux/sockios.h>

// ---- Calls of GNU and Linux only ----------------------------------------------------------------
// With _GNU_SOURCE (as in clinux.c) the system's headers declare them. Without it, these lines do.

#ifndef _GNU_SOURCE
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int dup3(int old_fd, int new_fd, int flags);
pid_t gettid(void);
int memfd_create(const char *name, unsigned int flags);
int pipe2(int fds[2], int flags);
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask);
int prlimit(pid_t pid, int resource, const void *new_limit, void *old_limit);
int pthread_setname_np(pthread_t thread, const char *name);
int sched_setaffinity(pid_t pid, size_t size, const void *mask);
const char *strerrorname_np(int number);
int tgkill(pid_t process, pid_t thread, int signal);
ssize_t splice(int in, off_t *in_at, int out, off_t *out_at, size_t count, unsigned int flags);
ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
                         const struct iovec *remote, unsigned long remote_count,
                         unsigned long flags);

// posix_spawn(3): close every descriptor from `first` on in the child.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

// recvmmsg(2): several datagrams in one call.
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};
int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
             struct timespec *timeout);
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);

#define POLLRDHUP 0x2000
#define O_PATH 010000000
#if defined(__aarch64__)
#define O_DIRECT 0200000
#else
#define O_DIRECT 040000
#endif
#define SPLICE_F_MOVE 1
#define SPLICE_F_NONBLOCK 2
#define SPLICE_F_MORE 4
// fcntl(2): which signal announces I/O instead of SIGIO, and to whom.
#define F_SETSIG 10
#define F_GETSIG 11
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
#endif

// ---- select(2): the set operations are macros ---------------------------------------------------
// A descriptor of FD_SETSIZE (1024) or more does not fit. C's macros then write beyond the set.
// These do nothing instead, and FD_ISSET says 0: compare with FD_SETSIZE before you put a
// descriptor in.

#undef FD_ZERO
#undef FD_SET
#undef FD_CLR
#undef FD_ISSET

static inline void FD_ZERO(fd_set *set) { *set = (fd_set){{0}}; }

static inline void FD_SET(int fd, fd_set *set) {
    if (fd >= 0 && fd < FD_SETSIZE) __FDS_BITS(set)[fd / 64] |= (long)(1UL << (fd % 64));
}

static inline void FD_CLR(int fd, fd_set *set) {
    if (fd >= 0 && fd < FD_SETSIZE) __FDS_BITS(set)[fd / 64] &= (long)~(1UL << (fd % 64));
}

static inline int FD_ISSET(int fd, const fd_set *set) {
    if (fd < 0 || fd >= FD_SETSIZE) return 0;
    return ((unsigned long)__FDS_BITS(set)[fd / 64] >> (fd % 64)) & 1;
}

// ---- wait(2): the macros that take a status apart -----------------------------------------------

#undef WIFEXITED
#undef WEXITSTATUS
#undef WIFSIGNALED
#undef WTERMSIG
#undef WIFSTOPPED
#undef WSTOPSIG

static inline int WTERMSIG(int status) { return status & 0x7f; }
static inline int WIFEXITED(int status) { return WTERMSIG(status) == 0; }
static inline int WEXITSTATUS(int status) { return (status >> 8) & 0xff; }
static inline int WIFSTOPPED(int status) { return (status & 0xff) == 0x7f; }
static inline int WSTOPSIG(int status) { return (status >> 8) & 0xff; }
static inline int WIFSIGNALED(int status) { return WTERMSIG(status) != 0 && !WIFSTOPPED(status); }

// ---- signal(7) ----------------------------------------------------------------------------------

#undef SIGRTMIN
#undef SIGRTMAX
#undef si_fd
#undef si_band

// The C library keeps the first real-time signals for itself, so the limits are asked at run time.
static inline int SIGRTMIN(void) { return __libc_current_sigrtmin(); }
static inline int SIGRTMAX(void) { return __libc_current_sigrtmax(); }

// siginfo_t is a union; these are the members that the kernel fills for SIGIO. See F_SETSIG.
static inline int si_fd(const siginfo_t *info) { return info->_sifields._sigpoll.si_fd; }
static inline long si_band(const siginfo_t *info) { return info->_sifields._sigpoll.si_band; }

// ---- cmsg(3): control messages, for passing descriptors over a UNIX socket ----------------------

#undef CMSG_FIRSTHDR
#undef CMSG_DATA
#undef CMSG_SPACE
#undef CMSG_LEN

#define CLINUX_CMSG_ALIGN(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))

static inline size_t CMSG_LEN(size_t n) { return CLINUX_CMSG_ALIGN(sizeof(struct cmsghdr)) + n; }
static inline size_t CMSG_SPACE(size_t n) { return CMSG_LEN(CLINUX_CMSG_ALIGN(n)); }
static inline void *CMSG_DATA(struct cmsghdr *header) { return header + 1; }
static inline struct cmsghdr *CMSG_FIRSTHDR(const struct msghdr *message) {
    if (message->msg_controllen < sizeof(struct cmsghdr)) return 0;
    return (struct cmsghdr *)message->msg_control;
}

// ---- aio(7) -------------------------------------------------------------------------------------

// struct sigevent hides this member in a union. Swift can reach neither it nor its macro.
static inline void set_sigev_notify_function(struct sigevent *event,
                                             void (*function)(union sigval)) {
    event->_sigev_un._sigev_thread._function = function;
}

// ---- Functions with `...`, and functions that must not return to Swift (clinux.c) ---------------

/// syscall(2). Swift cannot call a function with `...`; this one takes all six arguments.
long raw_syscall(long number, long a, long b, long c, long d, long e, long f);

/// prctl(2) with its four further arguments.
int prctl4(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);

/// ptrace(2) with its three further arguments.
long ptrace3(int request, pid_t pid, unsigned long address, unsigned long data);

/// mq_open(3) with the two arguments that O_CREAT asks for.
mqd_t mq_open_create(const char *name, int flags, mode_t mode, struct mq_attr *attributes);

/// vfork(2) and execve(2) in one function: the child borrows the parent's stack, so it must not
/// return to Swift. Gives the child's pid, or -1 and errno. If execve fails the child exits with
/// 127.
pid_t vfork_execve(const char *path, char *const argv[], char *const envp[]);

/// clone(2) as glibc offers it: `function(argument)` runs on the stack that ends at `stack_top`.
int clone_call(int (*function)(void *), void *stack_top, int flags, void *argument);

#endif
