# SPDX-License-Identifier: Apache-2.0
"""What gets through nono, and why: the list that every run is held against, in both directions."""
from world import ROOT

# (reason, the Landlock ABI from which it is stopped, names). "user:" before a name: to an ordinary user alone.
OPEN = [
    ("names, sizes, dates and attributes of all files leak: only a mount namespace hides them", None,
     "stat access readlink getxattr watch_names"),
    ("what /proc shows to everybody: command lines, the list of sockets", None, "command_line list_sockets_by_file"),
    ("a grant holds inodes, by whichever name", None, "hard_link_from_before"),
    ("what is in a granted directory is the program's to change", None, "setuid_program"),
    ("processes that the command leaves behind go on, confined", None, "outlive"),
    ("variables that are not on the list of dangerous ones are passed on", None, "variable_key"),
]
# What Landlock alone stops is open on older kernels.
OLDER = [
    ("signals, below Linux 6.12 (Landlock ABI 6)", 6, """
        kill kill_group tgkill tkill sigqueue sigqueue_thread pidfd_signal signal_by_owner signal_by_owning_group"""),
    ("abstract unix sockets, below Linux 6.12 (Landlock ABI 6)", 6,
     "abstract_stream abstract_seqpacket abstract_datagram abstract_pair"),
    ("processors, below Linux 6.12 (Landlock ABI 6): threads choose each other's, and nothing tells who is inside", 6,
     "user:affinity"),
]


def expected_open(abi):
    """What is open on a kernel of this Landlock ABI: name -> reason."""
    return {name.removeprefix("user:"): reason
            for reason, closed_by, names in OPEN + OLDER if closed_by is None or abi < closed_by
            for name in names.split() if not (ROOT and name.startswith("user:"))}


# What a system may refuse to everybody, or to all but root, by a setting: then there is nothing to try.
USER_NAMESPACES = "user.max_user_namespaces, kernel.unprivileged_userns_clone or AppArmor"
SETTINGS = {
    "user_namespace": USER_NAMESPACES,
    "user_namespace_by_clone": USER_NAMESPACES,
    "user_namespace_by_clone3": USER_NAMESPACES,
    "mount_in_own_namespace": USER_NAMESPACES,
    "perf_event": "kernel.perf_event_paranoid",
    "userfaultfd": "vm.unprivileged_userfaultfd",
    "io_uring": "kernel.io_uring_disabled",
    "by_io_uring": "kernel.io_uring_disabled",
    "udp_by_io_uring": "kernel.io_uring_disabled",
    "tcp_by_io_uring": "kernel.io_uring_disabled",
    "unix_by_io_uring": "kernel.io_uring_disabled",
    "setxattr_by_io_uring": "kernel.io_uring_disabled",
    "kernel_log": "kernel.dmesg_restrict",
    "kernel_log_device": "kernel.dmesg_restrict",
    "ping": "net.ipv4.ping_group_range",
    "tcp_fast_open": "net.ipv4.tcp_fastopen",
    "terminal_input": "dev.tty.legacy_tiocsti",
    "terminal_input_long": "dev.tty.legacy_tiocsti",
}
