"""DAGs: Airflow supervises and schedules the stages; it does not carry each post."""
