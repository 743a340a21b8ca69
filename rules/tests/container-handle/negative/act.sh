# On the host; a handle that is none
echo x >/srv/x
#record
perl -e '$h = pack("Ll", 64, 0) . "\0" x 64; $m = "\0" x 8; $p = "/srv/x";
	syscall(303, -100, $p, $h, $m, 0) == 0 or die; open D, "<", "/srv"; syscall 304, fileno D, $h, 0'
in-container perl -e '$h = pack("Ll", 8, 77) . "\0" x 8; open D, "<", "/srv"; syscall 304, fileno D, $h, 0'
