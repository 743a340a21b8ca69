# A backup of cron; asked what is there
fake rclone
posing cron
#record
cron -c 'rclone sync /home remote:backup; true'
rclone ls remote:
