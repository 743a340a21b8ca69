# Listed; kept tidy by its own program
fake zfs
posing sanoid
#record
zfs list -t snapshot
sanoid -c 'zfs destroy tank/home@old; true'
