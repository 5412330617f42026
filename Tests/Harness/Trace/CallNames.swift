// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// The rows of calls that the course knows by name only: a learner's program may be found in one, or
/// a check may trace it.
extension CallRow {
    static let named: [CallRow] = files + sockets + memory + processes + signals + clocks

    private static func rows(_ names: KeyValuePairs<Int32, String>) -> [CallRow] {
        names.map { CallRow(named: $0.key, $0.value) }
    }

    private static let files = rows([
        SYS_openat: "openat", SYS_openat2: "openat2", SYS_close_range: "close_range",
        SYS_pread64: "pread64", SYS_pwrite64: "pwrite64", SYS_preadv: "preadv",
        SYS_pwritev: "pwritev", SYS_lseek: "lseek", SYS_newfstatat: "newfstatat",
        SYS_fstat: "fstat", SYS_statx: "statx", SYS_faccessat: "faccessat",
        SYS_faccessat2: "faccessat2", SYS_readlinkat: "readlinkat", SYS_getdents64: "getdents64",
        SYS_ioctl: "ioctl", SYS_dup: "dup", SYS_dup3: "dup3", SYS_pipe2: "pipe2",
        SYS_flock: "flock", SYS_fsync: "fsync", SYS_fdatasync: "fdatasync",
        SYS_ftruncate: "ftruncate", SYS_unlinkat: "unlinkat", SYS_renameat2: "renameat2",
        SYS_mkdirat: "mkdirat", SYS_mknodat: "mknodat", SYS_getcwd: "getcwd", SYS_chdir: "chdir",
        SYS_umask: "umask", SYS_tee: "tee", SYS_vmsplice: "vmsplice",
        SYS_copy_file_range: "copy_file_range", SYS_memfd_create: "memfd_create",
        SYS_inotify_init1: "inotify_init1", SYS_inotify_add_watch: "inotify_add_watch",
        SYS_inotify_rm_watch: "inotify_rm_watch", SYS_eventfd2: "eventfd2",
        SYS_signalfd4: "signalfd4", SYS_timerfd_create: "timerfd_create",
        SYS_timerfd_settime: "timerfd_settime", SYS_timerfd_gettime: "timerfd_gettime",
        SYS_epoll_create1: "epoll_create1", SYS_pidfd_open: "pidfd_open",
    ])

    private static let sockets = rows([
        SYS_socket: "socket", SYS_socketpair: "socketpair",
        SYS_getsockname: "getsockname", SYS_getpeername: "getpeername",
        SYS_io_uring_setup: "io_uring_setup", SYS_io_uring_register: "io_uring_register",
        SYS_io_setup: "io_setup", SYS_io_submit: "io_submit", SYS_io_getevents: "io_getevents",
        SYS_mq_open: "mq_open", SYS_mq_unlink: "mq_unlink", SYS_mq_timedsend: "mq_timedsend",
        SYS_mq_notify: "mq_notify", SYS_mq_getsetattr: "mq_getsetattr",
    ])

    private static let memory = rows([
        SYS_brk: "brk", SYS_mmap: "mmap", SYS_munmap: "munmap", SYS_mremap: "mremap",
        SYS_mprotect: "mprotect", SYS_madvise: "madvise", SYS_msync: "msync", SYS_mlock: "mlock",
        SYS_membarrier: "membarrier",
    ])

    private static let processes = rows([
        SYS_execve: "execve", SYS_execveat: "execveat", SYS_exit: "exit",
        SYS_exit_group: "exit_group", SYS_getpid: "getpid", SYS_getppid: "getppid",
        SYS_gettid: "gettid", SYS_getuid: "getuid", SYS_getrandom: "getrandom",
        SYS_getrusage: "getrusage", SYS_prlimit64: "prlimit64", SYS_prctl: "prctl",
        SYS_sched_yield: "sched_yield", SYS_sched_setaffinity: "sched_setaffinity",
        SYS_sched_getaffinity: "sched_getaffinity", SYS_set_robust_list: "set_robust_list",
        SYS_set_tid_address: "set_tid_address", SYS_rseq: "rseq", SYS_setpgid: "setpgid",
        SYS_setsid: "setsid", SYS_sysinfo: "sysinfo", SYS_uname: "uname", SYS_getcpu: "getcpu",
    ])

    private static let signals = rows([
        SYS_rt_sigaction: "rt_sigaction", SYS_rt_sigprocmask: "rt_sigprocmask",
        SYS_rt_sigpending: "rt_sigpending", SYS_rt_sigreturn: "rt_sigreturn",
        SYS_rt_sigqueueinfo: "rt_sigqueueinfo", SYS_sigaltstack: "sigaltstack",
        SYS_kill: "kill", SYS_tkill: "tkill", SYS_tgkill: "tgkill",
        SYS_restart_syscall: "restart_syscall",
    ])

    private static let clocks = rows([
        SYS_clock_gettime: "clock_gettime", SYS_clock_getres: "clock_getres",
        SYS_gettimeofday: "gettimeofday", SYS_timer_create: "timer_create",
        SYS_timer_settime: "timer_settime", SYS_timer_gettime: "timer_gettime",
        SYS_timer_delete: "timer_delete", SYS_setitimer: "setitimer",
        SYS_getitimer: "getitimer",
    ])

    #if arch(x86_64)
        static let namedOnThisArchitecture = rows([
            SYS_open: "open", SYS_creat: "creat", SYS_stat: "stat", SYS_lstat: "lstat",
            SYS_access: "access", SYS_readlink: "readlink", SYS_unlink: "unlink",
            SYS_rename: "rename", SYS_mkdir: "mkdir", SYS_rmdir: "rmdir", SYS_mknod: "mknod",
            SYS_dup2: "dup2", SYS_pipe: "pipe", SYS_alarm: "alarm", SYS_time: "time",
            SYS_epoll_create: "epoll_create", SYS_eventfd: "eventfd", SYS_signalfd: "signalfd",
            SYS_inotify_init: "inotify_init", SYS_arch_prctl: "arch_prctl",
        ])
    #endif
}
