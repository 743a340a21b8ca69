# A file found by its handle
echo x >/srv/x
#record
in-container perl -e '$h = pack("Ll", 64, 0) . "\0" x 64; $m = "\0" x 8; $p = "/srv/x";
	syscall(303, -100, $p, $h, $m, 0) == 0 or die; open D, "<", "/srv"; syscall 304, fileno D, $h, 0'
