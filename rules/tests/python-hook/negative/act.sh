# Installed by pip; a file with that suffix elsewhere
mkdir -p /usr/local/lib/python3.11/dist-packages
posing pip
#record
pip -c 'echo import x >/usr/local/lib/python3.11/dist-packages/y.pth; true'
echo weights >/srv/model.pth
