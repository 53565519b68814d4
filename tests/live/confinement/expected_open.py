# SPDX-License-Identifier: Apache-2.0
"""What gets through nono, and why: the list that every run is held against, in both directions."""
from world import ROOT

# (reason, the Landlock ABI from which it is stopped, names). "user:" before a name: to an ordinary user alone.
OPEN = [
    ("unix sockets in the file system, below Linux 7.1 (Landlock ABI 9)", 9, """
        unix_stream unix_seqpacket unix_relative unix_by_symlink unix_by_own_root unix_by_path_descriptor
        unix_receive_descriptor unix_datagram_connect unix_datagram_sendto unix_datagram_sendmsg unix_datagram_sendmmsg
        unix_raw unix_pair"""),
    ("metadata: neither Landlock nor a filter sees which file is meant", None, """
        chmod fchmodat fchmodat2 chmod_by_symlink chmod_by_path_descriptor fchmodat2_by_path_descriptor chmod_shared
        fchmod_shared utime utimes futimesat utimensat utimensat_by_path_descriptor futimens_shared setxattr lsetxattr
        fsetxattr_shared setxattrat removexattr removexattrat set_flags_shared set_extended_flags_shared
        file_setattr"""),
    ("names, sizes, dates and attributes of all files leak: only a mount namespace hides them", None,
     "stat access readlink getxattr watch_names"),
    ("what /proc shows to everybody: command lines, the list of sockets", None, "command_line list_sockets_by_file"),
    ("processors: threads choose each other's", None, "user:affinity"),
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
