// Sends files to the server as they are read from the disk, one after another, and tells the page
// their ids. Runs again at every change of `data`: handlers are assigned, never stacked.
const sending = new WeakMap()
const mb = (bytes, all = bytes) => (bytes / 2 ** 20).toFixed(all < 2 ** 24 ? 1 : 0)

export default function ({ data, parentElement, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector)
  const drop = find(".drop")
  const input = find("input")
  find(".title").textContent = data.title
  find(".hint").textContent = data.hint
  find(".browse").textContent = data.multiple ? "Choose files" : "Choose a file"
  input.accept = data.accept
  input.multiple = data.multiple
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

  // Sends one file; `before` bytes of `total` have gone with the files before it.
  const put = (file, before, total) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      sending.set(parentElement, request)
      request.upload.onprogress = (event) => {
        find("progress").value = (before + event.loaded) / Math.max(total, 1)
        say(`Uploading … ${mb(before + event.loaded, total)} of ${mb(total)} MB`)
      }
      request.onload = () => {
        let answer = {}
        try { answer = JSON.parse(request.responseText) } catch { /* not ours: worded below */ }
        if (request.status === 200 && answer.id) resolve({ id: answer.id, name: file.name })
        else reject(answer.error ?? `The server refused ${file.name} (${request.status}).`)
      }
      request.onerror = () =>
        reject("The connection broke off. Nothing was kept; choose the file again.")
      request.onabort = () => reject("Cancelled. Nothing was kept.")
      request.open("PUT", new URL(data.url, document.baseURI))
      request.setRequestHeader(data.header, data.token)
      request.send(file)
    })

  const send = async (chosen) => {
    const files = [...chosen]
    if (!files.length || sending.has(parentElement)) return
    if (files.length > 1 && !data.multiple) {
      say("Only one file goes here. Choose one of them.", true)
      return
    }
    const total = files.reduce((bytes, file) => bytes + file.size, 0)
    if (total > data.limit) {
      const size = Math.ceil(total / 2 ** 20).toLocaleString("en")
      const limit = Math.floor(data.limit / 2 ** 20).toLocaleString("en")
      const what = files.length > 1 ? "These files have" : `${files[0].name} has`
      say(`${what} ${size} MB; this dashboard takes up to ${limit} MB.`, true)
      return
    }
    find("progress").value = 0
    say("Uploading …")
    show(true)
    const sent = []
    let before = 0
    let trouble = null
    for (const [place, file] of files.entries()) {
      const of = files.length > 1 ? `${place + 1} of ${files.length}: ` : ""
      find(".file").textContent = of + file.name
      try {
        sent.push(await put(file, before, total))
      } catch (reason) {
        trouble = reason
        break
      }
      before += file.size
    }
    sending.delete(parentElement)
    input.value = ""
    show(false)
    say(trouble ?? "Uploaded. Reading …", trouble !== null)
    if (trouble === null) setTriggerValue("uploaded", sent)
    else if (sent.length) setTriggerValue("dropped", sent) // files of a batch that is not whole
  }

  input.onchange = () => send(input.files)
  find("button").onclick = () => sending.get(parentElement)?.abort()
  drop.ondragover = (event) => {
    event.preventDefault()
    drop.classList.add("over")
  }
  drop.ondragleave = () => drop.classList.remove("over")
  drop.ondrop = (event) => {
    event.preventDefault()
    drop.classList.remove("over")
    send(event.dataTransfer.files)
  }
  if (!sending.has(parentElement)) say("")

  return () => sending.get(parentElement)?.abort()
}
