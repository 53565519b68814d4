// SPDX-License-Identifier: Apache-2.0
// Other processes: signals, memory, descriptors, limits and scheduling; and what they share by System V and POSIX IPC.
#include "attempts.hpp"

#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <linux/kcmp.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace attempts {
namespace {

int pidfd_of(const facts& f) {
  return static_cast<int>(check("pidfd_open", ::syscall(SYS_pidfd_open, f.victim(), 0)));
}

/// A place in the memory of the process outside.
void* place(const facts& f, const char* key) { return reinterpret_cast<void*>(f.number(key)); }

// ---- signals ----

void queue_to_thread(const facts& f) {
  siginfo_t info{};
  info.si_signo = SIGTERM;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  check("rt_tgsigqueueinfo", ::syscall(SYS_rt_tgsigqueueinfo, f.victim(), f.victim(), SIGTERM, &info));
}

/// The kernel sends the signal, when the other end of the pair is written to.
void signal_by_owner(int owner) {
  int ends[2];
  check("socketpair", ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
  check("fcntl F_SETOWN", ::fcntl(ends[0], F_SETOWN, owner));
  check("fcntl F_SETSIG", ::fcntl(ends[0], F_SETSIG, SIGTERM));
  check("fcntl O_ASYNC", ::fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
  put(ends[1]);
}

// ---- memory and descriptors ----

void trace(const facts& f) {
  check("ptrace SEIZE", ::ptrace(PTRACE_SEIZE, f.victim(), nullptr, nullptr));
  check("ptrace INTERRUPT", ::ptrace(PTRACE_INTERRUPT, f.victim(), nullptr, nullptr));
  check("waitpid", ::waitpid(f.victim(), nullptr, __WALL));
  char text[64] = {};
  for (std::size_t at = 0; at < sizeof text; at += sizeof(long)) {
    errno = 0;
    const long word =
        ::ptrace(PTRACE_PEEKDATA, f.victim(), f.number("secret_at") + static_cast<long>(at), nullptr);
    if (errno != 0) throw stopped{"ptrace PEEKDATA", errno};
    std::memcpy(text + at, &word, sizeof word);
  }
  print({text, sizeof text});
}

void read_memory(const facts& f) {
  char text[64] = {};
  const iovec here{text, sizeof text};
  const iovec there{place(f, "secret_at"), sizeof text};
  check("process_vm_readv", ::process_vm_readv(f.victim(), &here, 1, &there, 1, 0));
  print({text, sizeof text});
}

void write_memory(const facts& f) {
  char text[] = "changed";
  const iovec here{text, sizeof text};
  const iovec there{place(f, "buffer_at"), sizeof text};
  check("process_vm_writev", ::process_vm_writev(f.victim(), &here, 1, &there, 1, 0));
}

void read_memory_file(const facts& f) {
  char text[64] = {};
  const int fd = open_file(f.victim_proc("mem"), O_RDONLY);
  check("pread", ::pread(fd, text, sizeof text, f.number("secret_at")));
  print({text, sizeof text});
}

void write_memory_file(const facts& f) {
  const int fd = open_file(f.victim_proc("mem"), O_WRONLY);
  check("pwrite", ::pwrite(fd, "changed", 8, f.number("buffer_at")));
}

void take_descriptor(const facts& f) {
  const int fd = static_cast<int>(
      check("pidfd_getfd", ::syscall(SYS_pidfd_getfd, pidfd_of(f), f.number("victim_fd"), 0)));
  check("lseek", ::lseek(fd, 0, SEEK_SET));
  print_from(fd);
}

// ---- limits and scheduling ----

void limit(const facts& f) {
  const rlimit an_hour{3600, 3600};
  check("prlimit", ::prlimit(f.victim(), RLIMIT_CPU, &an_hour, nullptr));
}

void attributes(const facts& f) {
  struct {
    std::uint32_t size = 48, policy = SCHED_BATCH;
    std::uint64_t flags = 0;
    std::int32_t nice = 5;
    std::uint32_t priority = 0;
    std::uint64_t times[3]{};
  } wanted;
  check("sched_setattr", ::syscall(SYS_sched_setattr, f.victim(), &wanted, 0));
}

void pin(const facts& f) {
  cpu_set_t set;
  check("sched_getaffinity", ::sched_getaffinity(f.victim(), sizeof set, &set));
  if (CPU_COUNT(&set) < 2) throw cannot{"there is one processor"};
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &set)) --last;
  CPU_CLR(last, &set);
  check("sched_setaffinity", ::sched_setaffinity(f.victim(), sizeof set, &set));
}

/// A child that the command leaves behind; the driver waits for what it does.
void outlive(const facts& f) {
  print("later");
  int ends[2];
  check("pipe", ::pipe2(ends, O_CLOEXEC));
  const pid_t child = check("fork", ::fork());
  ::close(ends[child == 0 ? 0 : 1]);
  if (child != 0) {  // until it has a session of its own, the end of this one takes it along
    char none = 0;
    (void)!::read(ends[0], &none, 1);
    return;
  }
  ::setsid();
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, ends[1]}) ::close(fd);
  ::usleep(200'000);
  ::_exit(::open(f.work("late").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0 ? 1 : 0);
}

// ---- shared between processes ----

void read_segment(const facts& f) {
  const void* at = ::shmat(static_cast<int>(f.number("shm")), nullptr, SHM_RDONLY);
  if (reinterpret_cast<std::intptr_t>(at) == -1) throw stopped{"shmat", errno};
  print({static_cast<const char*>(at), 64});
}

void post_semaphore(const facts& f) {
  sembuf up{0, 1, 0};
  check("semop", ::semop(static_cast<int>(f.number("sem")), &up, 1));
}

void take_message(const facts& f) {
  struct {
    long type = 0;
    char text[256]{};
  } message;
  const ssize_t n = check(
      "msgrcv", ::msgrcv(static_cast<int>(f.number("msg")), &message, sizeof message.text, 0, IPC_NOWAIT));
  print({message.text, static_cast<std::size_t>(n)});
}

void leave_message(const facts& f) {
  const struct {
    long type = 1;
    char text[8] = "changed";
  } message;
  check("msgsnd", ::msgsnd(static_cast<int>(f.number("msg")), &message, sizeof message.text, IPC_NOWAIT));
}

void take_posix_message(const facts& f) {
  const mqd_t queue = check("mq_open", ::mq_open(f.text("mq").c_str(), O_RDWR | O_NONBLOCK));
  char text[256];
  const ssize_t n = check("mq_receive", ::mq_receive(queue, text, sizeof text, nullptr));
  print({text, static_cast<std::size_t>(n)});
}

constexpr attempt all[] = {
    {"kill", proof::change, "kills a process",
     [](const facts& f) { check("kill", ::kill(f.victim(), SIGKILL)); }},
    {"kill_group", proof::change, "kills a process group",
     [](const facts& f) { check("kill", ::kill(-f.victim(), SIGKILL)); }},
    {"tgkill", proof::change, "kills by signalling a thread",
     [](const facts& f) { check("tgkill", ::syscall(SYS_tgkill, f.victim(), f.victim(), SIGTERM)); }},
    {"tkill", proof::change, "kills by the old call that signals a thread",
     [](const facts& f) { check("tkill", ::syscall(SYS_tkill, f.victim(), SIGTERM)); }},
    {"sigqueue", proof::change, "kills by a signal with a value",
     [](const facts& f) { check("sigqueue", ::sigqueue(f.victim(), SIGTERM, {})); }},
    {"sigqueue_thread", proof::change, "kills by a signal with a value, to a thread", queue_to_thread},
    {"pidfd_signal", proof::change, "kills by a descriptor of the process",
     [](const facts& f) {
       check("pidfd_send_signal", ::syscall(SYS_pidfd_send_signal, pidfd_of(f), SIGKILL, nullptr, 0));
     }},
    {"signal_by_owner", proof::change, "makes the process the owner of a socket, and so the kernel signal it",
     [](const facts& f) { signal_by_owner(f.victim()); }},
    {"signal_by_owning_group", proof::change, "makes its process group the owner",
     [](const facts& f) { signal_by_owner(-f.victim()); }},
    {"ptrace", proof::secret, "traces a process and reads its memory", trace},
    {"read_memory", proof::secret, "reads the memory of a process", read_memory},
    {"write_memory", proof::change, "writes the memory of a process", write_memory},
    {"read_memory_file", proof::secret, "reads /proc/PID/mem", read_memory_file},
    {"write_memory_file", proof::change, "writes /proc/PID/mem", write_memory_file},
    {"environ", proof::secret, "reads /proc/PID/environ",
     [](const facts& f) { print_file(f.victim_proc("environ")); }},
    {"maps", proof::call, "reads /proc/PID/maps", [](const facts& f) { print_file(f.victim_proc("maps")); }},
    {"command_line", proof::secret, "reads /proc/PID/cmdline",
     [](const facts& f) { print_file(f.victim_proc("cmdline")); }},
    {"take_descriptor", proof::secret, "takes a descriptor out of a process", take_descriptor},
    {"kcmp", proof::call, "compares what two processes share",
     [](const facts& f) { check("kcmp", ::syscall(SYS_kcmp, f.victim(), ::getpid(), KCMP_VM, 0, 0)); }},
    {"robust_list", proof::call, "asks where a process keeps its locks",
     [](const facts& f) {
       void* head = nullptr;
       std::size_t size = 0;
       check("get_robust_list", ::syscall(SYS_get_robust_list, f.victim(), &head, &size));
     }},
    {"prlimit", proof::change, "limits the processor time of a process", limit},
    {"setpriority", proof::change, "lowers the priority of a process",
     [](const facts& f) {
       check("setpriority", ::setpriority(PRIO_PROCESS, static_cast<id_t>(f.victim()), 15));
     }},
    {"ioprio", proof::change, "lowers the I/O priority of a process",
     [](const facts& f) { check("ioprio_set", ::syscall(SYS_ioprio_set, 1, f.victim(), 3 << 13)); }},
    {"scheduler", proof::change, "changes the scheduling policy of a process",
     [](const facts& f) {
       const sched_param none{};
       check("sched_setscheduler", ::sched_setscheduler(f.victim(), SCHED_IDLE, &none));
     }},
    {"scheduler_attributes", proof::change, "changes it by sched_setattr()", attributes},
    {"affinity", proof::change, "takes a processor away from a process", pin},
    {"oom_score", proof::change, "makes a process the first to be killed when memory runs out",
     [](const facts& f) {
       check("write", ::write(open_file(f.victim_proc("oom_score_adj"), O_WRONLY), "900\n", 4));
     }},
    {"outlive", proof::change, "leaves a process behind that goes on when the command has ended", outlive},
    {"shared_memory", proof::secret, "reads a System V segment", read_segment},
    {"semaphore", proof::change, "changes a System V semaphore", post_semaphore},
    {"take_message", proof::secret, "takes a System V message", take_message},
    {"leave_message", proof::change, "leaves a System V message", leave_message},
    {"posix_message", proof::secret, "takes a POSIX message", take_posix_message},
    {"posix_memory", proof::secret, "reads POSIX shared memory",
     [](const facts& f) { print_file("/dev/shm/" + f.text("posix_shm")); }},
};

}  // namespace

const std::span<const attempt> process_attempts = all;

}  // namespace attempts
