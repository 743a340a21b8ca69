# With all rights, and with the root of the host
fake docker
#record
docker run --privileged -it alpine
docker run -v /:/host alpine chroot /host
