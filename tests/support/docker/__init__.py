"""The Dockerfile and docker-compose.yml, read as Docker does."""
