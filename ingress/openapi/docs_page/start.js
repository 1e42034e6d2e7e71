"use strict";
// In a file of its own: the page's Content-Security-Policy allows no inline script.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });
