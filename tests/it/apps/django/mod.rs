//! The Django blog.
