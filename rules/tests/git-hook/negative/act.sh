# git init with its samples; another file of the repository
#record
git init -q /srv/new 2>/dev/null
echo x >/srv/new/.git/hooks/notes.sample
echo x >>/srv/new/.git/config
