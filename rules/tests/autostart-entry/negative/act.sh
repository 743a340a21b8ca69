# A program of the desktop does; an entry of the menu
mkdir -p /home/ann/.config/autostart /home/ann/.local/share/applications
posing gnome-tweaks
#record
echo x >/home/ann/.config/autostart/notes
gnome-tweaks -c 'echo >/home/ann/.config/autostart/y.desktop; true'
echo '[Desktop Entry]' >/home/ann/.local/share/applications/x.desktop
