# SPDX-License-Identifier: Apache-2.0
"""Names of error and signal numbers: those the C library and Python know for Linux, plus what only the kernel has."""
import errno
import signal

# Not seen by programs; the reference names them all the same.
KERNEL_ERRORS = {512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 515: "ENOIOCTLCMD",
                 516: "ERESTART_RESTARTBLOCK", 521: "EBADHANDLE", 522: "ENOTSYNC", 523: "EBADCOOKIE", 524: "ENOTSUPP",
                 525: "ETOOSMALL", 526: "ESERVERFAULT", 527: "EBADTYPE", 528: "EJUKEBOX", 529: "EIOCBQUEUED", 530: "EIOCBRETRY"}

# Where one number has two names, the reference shows this one.
PREFERRED = {11: "EAGAIN", 35: "EDEADLK", 95: "EOPNOTSUPP"}

# 126 to 133 (ENOKEY ... EHWPOISON) have no name there.
ERRNO = {n: name for n, name in errno.errorcode.items() if 1 <= n <= 125}
ERRNO.update(PREFERRED)
ERRNO.update(KERNEL_ERRORS)

SIGNAL = {n: signal.Signals(n).name for n in range(1, 32)}
SIGNAL.update({6: "SIGABRT", 17: "SIGCHLD", 29: "SIGIO"})
