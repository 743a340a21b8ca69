# insmod is refused a file that is no module
echo no module >/root/x.ko
#record
insmod /root/x.ko 2>/dev/null
