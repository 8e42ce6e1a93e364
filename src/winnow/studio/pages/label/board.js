// Starts our own script when the page shows this element, and stops it when it goes.
export default {
  template: '<div class="label-page"></div>',
  props: { dataset: String, which: String },
  async mounted() {
    const { start } = await import("/static/label/main.js");
    this.stop = start(this.$el, { dataset: this.dataset, which: this.which });
  },
  beforeUnmount() {
    this.stop?.();
  },
};
