# A script adds an entry to a user's session
mkdir -p /home/ann/.config/autostart
#record
echo '[Desktop Entry]' >/home/ann/.config/autostart/x.desktop
