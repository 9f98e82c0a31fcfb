#!/usr/bin/env node
// A committed file, because a package manager links commands before anything is built and dist/ does not exist yet.
import "../dist/main.js";
