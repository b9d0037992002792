// Sends one file to the server as it is read from the disk, and tells the page its id.
// Runs again at every change of `data`: handlers are assigned, never stacked.
const sending = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector)
  const drop = find(".drop")
  const input = find("input")
  find(".title").textContent = data.title
  find(".hint").textContent = data.hint
  input.accept = data.accept
  input.setAttribute("aria-label", data.title)

  const say = (text, bad) => {
    find(".status").textContent = text
    find(".status").classList.toggle("bad", Boolean(bad))
  }
  const show = (running) => {
    find(".running").hidden = !running
    drop.hidden = running
    drop.style.display = running ? "none" : ""
  }

  const send = (file) => {
    if (!file || sending.has(parentElement)) return
    if (file.size > data.limit) {
      const size = Math.ceil(file.size / 2 ** 20).toLocaleString("en")
      const limit = Math.floor(data.limit / 2 ** 20).toLocaleString("en")
      say(`${file.name} has ${size} MB; this dashboard takes up to ${limit} MB.`, true)
      return
    }
    const request = new XMLHttpRequest()
    sending.set(parentElement, request)
    find(".file").textContent = file.name
    find("progress").value = 0
    say("Uploading …")
    show(true)
    request.upload.onprogress = (event) => {
      if (!event.lengthComputable) return
      find("progress").value = event.loaded / event.total
      const mb = (bytes) => (bytes / 2 ** 20).toFixed(event.total < 2 ** 24 ? 1 : 0)
      say(`Uploading … ${mb(event.loaded)} of ${mb(event.total)} MB`)
    }
    const end = (text, bad) => {
      sending.delete(parentElement)
      input.value = ""
      show(false)
      say(text, bad)
    }
    request.onload = () => {
      let answer = {}
      try { answer = JSON.parse(request.responseText) } catch { /* not ours: worded below */ }
      if (request.status === 200 && answer.id) {
        end("Uploaded. Reading the file …")
        setTriggerValue("uploaded", { id: answer.id, name: file.name })
      } else {
        end(answer.error ?? `The server refused the file (${request.status}).`, true)
      }
    }
    request.onerror = () =>
      end("The connection broke off. Nothing was kept; choose the file again.", true)
    request.onabort = () => end("Cancelled. Nothing was kept.")
    request.open("PUT", new URL(data.url, document.baseURI))
    request.setRequestHeader(data.header, data.token)
    request.send(file)
  }

  input.onchange = () => send(input.files[0])
  find("button").onclick = () => sending.get(parentElement)?.abort()
  drop.ondragover = (event) => {
    event.preventDefault()
    drop.classList.add("over")
  }
  drop.ondragleave = () => drop.classList.remove("over")
  drop.ondrop = (event) => {
    event.preventDefault()
    drop.classList.remove("over")
    send(event.dataTransfer.files[0])
  }
  if (!sending.has(parentElement)) say("")

  return () => sending.get(parentElement)?.abort()
}
