// Small helpers for building elements. Text always arrives as text, never as markup.

/** The element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** `element('p', { className: 'small' }, 'text', child, …)`; falsy children are left out. */
export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter(Boolean));
  return made;
}

/** Opens the confirmation dialog; resolves to whether it was confirmed. Escape and "Keep access" mean no. */
export function confirmed({ title, body, action }) {
  const dialog = byId('confirm');
  byId('confirm-title').textContent = title;
  byId('confirm-body').replaceChildren(...body);
  byId('confirm-button').textContent = action;
  dialog.returnValue = 'cancel';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'confirm'), { once: true });
  });
}
