import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Without minifying, so that a failing test can be read.
export default defineConfig({ plugins: [react()], build: { minify: false } })
