"""Seldon's protobuf messages; needs the protobuf package, any release from 3.12 on."""
