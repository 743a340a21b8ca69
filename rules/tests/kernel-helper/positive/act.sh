# A handler of core dumps, and a release agent of cgroups
over /proc/sys/kernel/core_pattern
mkdir /tmp/cgroup
#record
echo '|/srv/x' >/proc/sys/kernel/core_pattern
echo /srv/x >/tmp/cgroup/release_agent
