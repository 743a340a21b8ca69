# perl loads the smallest socket filter
#record
perl -e '$i = pack "C16", 0xb7, (0) x 7, 0x95, (0) x 7; $g = "GPL";
	$a = pack("LLQQ", 1, 2, unpack("Q", pack("P", $i)), unpack("Q", pack("P", $g))) . "\0" x 48; syscall 321, 5, $a, 72'
