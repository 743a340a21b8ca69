# kubectl in a container
fake kubectl
#record
in-container kubectl get secrets
