# Renamed otherwise; the end of a download
echo data >/srv/plan.odt; echo data >/srv/disk.enc.part
#record
mv /srv/plan.odt /srv/plan-2.odt
mv /srv/disk.enc.part /srv/disk.enc
echo notes >/srv/README.txt
