# A copy of true in an anonymous memory file
#record
perl -e '$n = "cache"; $fd = syscall 319, $n, 0; open F, ">&=", $fd; open I, "<", "/bin/true"; local $/; syswrite F, <I>;
	if (!fork) { exec "/proc/self/fd/$fd" } wait'
