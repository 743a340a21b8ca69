# A file renamed, and a note
echo data >/srv/plan.odt
#record
mv /srv/plan.odt /srv/plan.odt.locked
echo pay >/srv/HOW_TO_DECRYPT.txt
