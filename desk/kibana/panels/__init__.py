"""What a Kibana panel asks Elasticsearch, and what it shows: panels are put to a cluster without Kibana.

Everything here follows Kibana 9.2's public sources; each module names the files it follows. What a panel uses and this
package does not know is an :class:`~desk.kibana.panels.errors.Untested`, so that no panel goes out unproved.
"""
