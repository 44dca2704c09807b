const page = document.getElementById("swagger-ui");

SwaggerUIBundle({
  domNode: page,
  url: page.dataset.url,
  deepLinking: true,
  // Otherwise a badge asks a public server to check the description.
  validatorUrl: null,
});
