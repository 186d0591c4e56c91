"""The REST API: fine points in this process, and whole stories with a real server, real clients, workers and stores."""
