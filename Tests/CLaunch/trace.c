// SPDX-License-Identifier: MIT

#define _GNU_SOURCE
#include "CLaunch.h"

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "The tracer knows the registers of x86-64 and arm64 only."
#endif

// ---- The filter ----------------------------------------------------------------------------------

int trace_install_filter(const int *calls, int count) {
    enum { most = 64 };
    struct sock_filter code[most + 6];
    int n = 0;
    if (count > most) {
        errno = E2BIG;
        return -1;
    }
    // A call in another architecture's numbering (32-bit code) is let through: its numbers differ.
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                             offsetof(struct seccomp_data, arch));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                             offsetof(struct seccomp_data, nr));
    for (int i = 0; i < count; i++)
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i],
                                                 count - i, 0);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    // Without privileges a filter may be installed only by who cannot gain any by execve.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

// ---- The tracer ----------------------------------------------------------------------------------

int trace_attach(int pid) {
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP |
                   PTRACE_O_EXITKILL;
    return (int)ptrace(PTRACE_SEIZE, pid, 0, options);
}

static void read_call(struct trace_stop *stop) {
    struct __ptrace_syscall_info info = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, stop->thread, sizeof info, &info) <= 0) return;
    if (info.op == PTRACE_SYSCALL_INFO_SECCOMP) {
        stop->kind = TRACE_CALL;
        stop->number = (long)info.seccomp.nr;
        for (int i = 0; i < 6; i++) stop->arguments[i] = info.seccomp.args[i];
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        stop->kind = TRACE_RETURN;
        stop->result = info.exit.rval;
    }
}

static void read_event(struct trace_stop *stop, int event, int signal) {
    unsigned long message = 0;
    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        read_call(stop);
        break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        ptrace(PTRACE_GETEVENTMSG, stop->thread, 0, &message);
        stop->kind = TRACE_FORK;
        stop->result = (long)message;
        break;
    case PTRACE_EVENT_EXEC:
        stop->kind = TRACE_EXEC;
        break;
    case PTRACE_EVENT_STOP:
        // SIGTRAP: a new thread begins, or a stopped process goes on. Otherwise it is being stopped.
        if (signal == SIGTRAP) break;
        stop->kind = TRACE_STOPPED;
        stop->signal = signal;
        break;
    default:
        break;
    }
}

int trace_wait(struct trace_stop *stop) {
    int status = 0;
    pid_t thread;
    // __WNOTHREAD: only what this thread traces; the children of others are not its business.
    do thread = waitpid(-1, &status, __WALL | __WNOTHREAD);
    while (thread == -1 && errno == EINTR);
    if (thread == -1) return -1;
    *stop = (struct trace_stop){.thread = thread, .kind = TRACE_OTHER, .status = status};
    if (!WIFSTOPPED(status)) {
        stop->kind = TRACE_ENDED;
    } else if (status >> 16) {
        read_event(stop, status >> 16, WSTOPSIG(status));
    } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
        read_call(stop);
    } else {
        stop->kind = TRACE_SIGNAL;
        stop->signal = WSTOPSIG(status);
    }
    return 0;
}

int trace_resume(int thread, int until_return, int signal) {
    return (int)ptrace(until_return ? PTRACE_SYSCALL : PTRACE_CONT, thread, 0, (long)signal);
}

int trace_listen(int thread) { return (int)ptrace(PTRACE_LISTEN, thread, 0, 0); }

// ---- Registers -----------------------------------------------------------------------------------

#if defined(__x86_64__)

static int poke(int thread, size_t offset, unsigned long value) {
    return (int)ptrace(PTRACE_POKEUSER, thread, offset, value);
}

int trace_skip(int thread) {
    return poke(thread, offsetof(struct user_regs_struct, orig_rax), (unsigned long)-1);
}

int trace_set_result(int thread, long result) {
    return poke(thread, offsetof(struct user_regs_struct, rax), (unsigned long)result);
}

int trace_set_argument(int thread, int index, unsigned long value) {
    static const size_t offsets[] = {offsetof(struct user_regs_struct, rdi),
                                     offsetof(struct user_regs_struct, rsi),
                                     offsetof(struct user_regs_struct, rdx)};
    return poke(thread, offsets[index], value);
}

int trace_repeat(int thread, long number, unsigned long first_argument) {
    (void)first_argument;
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, thread, 0, &registers) == -1) return -1;
    registers.rip -= 2;  // The two bytes of the instruction `syscall`.
    registers.rax = (unsigned long)number;
    return (int)ptrace(PTRACE_SETREGS, thread, 0, &registers);
}

#else  // arm64: .ci/run compiles it, no machine has run it yet

static int set_register(int thread, int index, unsigned long value) {
    struct user_regs_struct registers;
    struct iovec part = {.iov_base = &registers, .iov_len = sizeof registers};
    if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &part) == -1) return -1;
    registers.regs[index] = value;
    return (int)ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &part);
}

int trace_skip(int thread) {
    int none = -1;
    struct iovec part = {.iov_base = &none, .iov_len = sizeof none};
    return (int)ptrace(PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, &part);
}

int trace_set_result(int thread, long result) {
    return set_register(thread, 0, (unsigned long)result);
}

int trace_set_argument(int thread, int index, unsigned long value) {
    return set_register(thread, index, value);
}

int trace_repeat(int thread, long number, unsigned long first_argument) {
    struct user_regs_struct registers;
    struct iovec part = {.iov_base = &registers, .iov_len = sizeof registers};
    if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &part) == -1) return -1;
    registers.pc -= 4;                   // The one instruction `svc #0`.
    registers.regs[0] = first_argument;  // The skipped call's result has overwritten it.
    registers.regs[8] = (unsigned long)number;
    return (int)ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &part);
}

#endif
