"""The search index beside the database: Elasticsearch, fed from the change log, lost and rebuilt without harm."""
