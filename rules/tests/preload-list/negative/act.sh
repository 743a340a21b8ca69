# Looked for by every program that starts; a similar file
#record
cat /etc/ld.so.preload 2>/dev/null
echo >/root/ld.so.preload
