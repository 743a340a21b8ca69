# Opened, unlinked, then executed
cp /bin/true /srv/job
#record
perl -e 'open F, "<", "/srv/job"; $^F = 99; open G, "<", "/srv/job"; unlink "/srv/job"; exec "/proc/self/fd/" . fileno G'
