# A command that apt runs after each action
mkdir -p /etc/apt/apt.conf.d
#record
echo 'DPkg::Post-Invoke {"true";};' >/etc/apt/apt.conf.d/99x
