"""Confine a child process that decodes files from outside: no network, files, secrets, programs or other processes.

The child does this to itself before it imports a decoder, so it also holds for every later thread. There are several
independent layers. A layer that this system lacks is reported with the reason. The layers need Linux. On other systems
only the ``limit_*`` functions work.

Sources: unshare(2), landlock(7), seccomp(2), capabilities(7), PR_SET_NO_NEW_PRIVS in prctl(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

_NEW_USER, _NEW_NET, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_NO_NEW_PRIVILEGES, _DUMPABLE = 38, 4
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PATH_BENEATH, _ASK_VERSION = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_RIGHTS, _SCOPES = 3, 3
_CAPABILITIES_3 = 0x20080522
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_SECCOMP_FILTER, _ALL_THREADS = 1, 1
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000
_CALLS: dict[str, tuple[int, int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        317,
        {
            "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "socketpair": 53, "fork": 57,
            "vfork": 58, "execve": 59, "ptrace": 101, "chroot": 161, "mount": 165, "umount": 166, "reboot": 169,
            "init_module": 175, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "accept4": 288,
            "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310,
            "process_vm_writev": 311, "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "execveat": 322,
            "userfaultfd": 323, "tkill": 200, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
            "pidfd_send_signal": 424, "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430,
            "pidfd_open": 434, "pidfd_getfd": 438, "mount_setattr": 442, "clone": 56, "clone3": 435, "kill": 62,
            "tgkill": 234,
        },
    ),
    "aarch64": (
        0xC00000B7,
        277,
        {
            "socket": 198, "connect": 203, "accept": 202, "bind": 200, "listen": 201, "socketpair": 199,
            "execve": 221, "ptrace": 117, "chroot": 51, "mount": 40, "umount": 39, "reboot": 142, "init_module": 105,
            "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97, "accept4": 242, "perf_event_open": 241,
            "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
            "finit_module": 273, "kexec_file_load": 294, "bpf": 280, "execveat": 281, "userfaultfd": 282,
            "tkill": 130, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240, "pidfd_send_signal": 424,
            "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "pidfd_open": 434,
            "pidfd_getfd": 438, "mount_setattr": 442, "clone": 220, "clone3": 435, "kill": 129, "tgkill": 131,
        },
    ),
}  # fmt: skip
"""By processor: its audit architecture number, the number of the seccomp system call, and the system calls to refuse.
"""
_TO_ITSELF = ("kill", "tgkill")
_SYSTEM_CODE = ("/usr/lib", "/lib", "/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_SYSTEM_FACTS = (
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
    "/etc/localtime",
)
_OPEN_FILES = 256


def confine(code: Iterable[Path]) -> dict[str, str]:
    """Take away from this process all rights that decoding doesn't need, and return what worked.

    The result has one entry for each layer of protection (``namespaces``, ``capabilities``, ``files``, ``calls``), and
    one for each attempt to break it (``no network``, ``no other files``): name -> why it doesn't work on this system;
    an empty text if it works. It can't be undone.

    Args:
        code: folders that stay readable, for modules that are imported later.
    """
    _limit_files()
    layers: tuple[tuple[str, Callable[[], None]], ...] = (
        ("namespaces", _leave_namespaces),
        ("capabilities", _drop_capabilities),
        ("files", lambda: _close_files(tuple(code))),
        ("calls", _refuse_calls),
    )
    found = {}
    for name, apply in layers:
        try:
            apply()
            found[name] = ""
        except (OSError, AttributeError) as error:
            found[name] = str(error) or type(error).__name__
    return found | _tried()


def _limit_files() -> None:
    """Forbid growing files and core dumps, and limit the number of open files."""
    for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, _OPEN_FILES)):
        resource.setrlimit(limit, (most, most))


def own_size() -> IO[bytes] | None:
    """Return the open file ``/proc/self/statm``, which tells this process's size in pages; None if this is not Linux.

    `limit_memory` reads it. It must be opened before `confine`, which forbids opening files.
    """
    return Path("/proc/self/statm").open("rb", buffering=0) if sys.platform == "linux" else None


def limit_memory(more_bytes: int, size: IO[bytes] | None) -> str:
    """Limit how much this process's address space may grow; return why that failed, or an empty text if it worked.

    Beyond the limit, the process gets a `MemoryError`.

    Args:
        more_bytes: bytes that it may grow from now on.
        size: the open file with this process's present size, from `own_size`; None if this is not Linux.
    """
    try:
        pages = int(size.read(200).split()[0]) if size else 0
        most = pages * resource.getpagesize() + more_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (OSError, ValueError) as error:
        return str(error)
    return "" if size else "this system does not hold processes to it"


def limit_processor(more_s: int) -> None:
    """Limit how much more processor time this process may use. Beyond that, the kernel ends it with SIGXCPU.

    Args:
        more_s: seconds from now on; the limit is met to about a second.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + more_s, hard))


def _tried() -> dict[str, str]:
    """Try to break the confinement; return each attempt -> why it fails to hold, empty text if it holds."""
    found = {}
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()
        found["no network"] = "a socket can be opened"
    except OSError:
        found["no network"] = ""
    try:
        with open("/etc/passwd", "rb"):  # noqa: PTH123  as a decoder would
            found["no other files"] = "other files can be read"
    except OSError:
        found["no other files"] = ""
    return found


def _system() -> ctypes.CDLL:
    if sys.platform != "linux":
        raise OSError(f"{sys.platform} does not have this protection")
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(f"{what}: {os.strerror(number)}")
    return result


def _leave_namespaces() -> None:
    """Move to new user, network and IPC namespaces: no network interface, no shared memory or queues of others."""
    _checked(_system().unshare(_NEW_USER | _NEW_NET | _NEW_IPC), "unshare")


def _drop_capabilities() -> None:
    libc = _system()
    _checked(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no new privileges")
    header = struct.pack("=Ii", _CAPABILITIES_3, 0)
    _checked(libc.capset(header, bytes(24)), "capset")
    _checked(libc.prctl(_DUMPABLE, 0, 0, 0, 0), "not dumpable")


def _close_files(code: tuple[Path, ...]) -> None:
    """Use Landlock: forbid writing, creating, running and connecting; only code and some facts of the system are
    readable.
    """
    libc = _system()
    version = _checked(libc.syscall(_LANDLOCK_CREATE, None, 0, _ASK_VERSION), "Landlock")
    rights = _RIGHTS_BY_VERSION[min(version, max(_RIGHTS_BY_VERSION))]
    words = [rights, *([_NET_RIGHTS] if version >= 4 else []), *([_SCOPES] if version >= 6 else [])]
    asked = struct.pack(f"={len(words)}Q", *words)
    ruleset = _checked(libc.syscall(_LANDLOCK_CREATE, asked, len(asked), 0), "Landlock")
    try:
        for path in (*map(str, code), *_SYSTEM_CODE, *_SYSTEM_FACTS):
            _allow_reading(libc, ruleset, path)
        _checked(libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0), "Landlock")
    finally:
        os.close(ruleset)


def _allow_reading(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = _READ_FILE | (_READ_DIR if Path(path).is_dir() else 0)
        rule = struct.pack("=Qi", rights, place)
        _checked(libc.syscall(_LANDLOCK_ADD, ruleset, _PATH_BENEATH, rule, 0), f"Landlock, {path}")
    finally:
        os.close(place)


def _refuse_calls() -> None:
    """Use seccomp: forbid sockets, new programs and processes, signals to others, and calls that bypass the other
    layers.
    """
    libc = _system()
    if platform.machine() not in _CALLS:
        raise OSError(f"there is no list of system calls for {platform.machine()}")
    architecture, seccomp, _ = _CALLS[platform.machine()]
    steps = _filter(architecture, _CALLS[platform.machine()][2], os.getpid())
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(steps), ctypes.addressof(held))
    _checked(libc.syscall(seccomp, _SECCOMP_FILTER, _ALL_THREADS, program), "seccomp")


def _filter(architecture: int, calls: dict[str, int], own: int) -> list[tuple[int, int, int, int]]:
    refuse, allow = (_RETURN, 0, 0, _REFUSE | errno.EPERM), (_RETURN, 0, 0, _ALLOW)
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _X32),
        refuse,
    ]
    argument = (_LOAD, 0, 0, 16)
    for name, number in calls.items():
        if name == "clone":  # allow threads, refuse processes
            steps += [(_EQUAL, 0, 4, number), argument, (_ANY_BIT, 0, 1, _CLONE_THREAD), allow, refuse]
        elif name == "clone3":  # seccomp can't read its flags; with ENOSYS callers fall back to clone
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
        elif name in _TO_ITSELF:
            steps += [(_EQUAL, 0, 4, number), argument, (_EQUAL, 0, 1, own), allow, refuse]
        else:
            steps += [(_EQUAL, 0, 1, number), refuse]
    return [*steps, allow]
