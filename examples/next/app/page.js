export default function Page() {
  return (
    <form action="/api/text">
      <label>
        A sentence of the King James Bible <input name="source" size="60" defaultValue="And it came to pass." />
      </label>
      <button type="submit">In modern English</button>
    </form>
  );
}
