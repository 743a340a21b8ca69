# kubectl on the host; another program in a container
fake kubectl
#record
kubectl get pods
in-container ls /srv
