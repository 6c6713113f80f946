import '@modelcontextprotocol/client';
