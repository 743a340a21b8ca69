# Executed by its path, then unlinked; a program whose name is a number; one in memory is another rule's
cp /bin/true /srv/job
cp /bin/true /srv/7
#record
/srv/job
rm /srv/job
/srv/7
perl -e '$n = "cache"; $fd = syscall 319, $n, 0; open F, ">&=", $fd; open I, "<", "/bin/true"; local $/; syswrite F, <I>;
	if (!fork) { exec "/proc/self/fd/$fd" } wait'
