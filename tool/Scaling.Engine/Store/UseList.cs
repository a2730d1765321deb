// What a run uses of the store, noted before it looks, so that gc leaves it. STORE.md says why.
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Scaling.Engine.Files;

namespace Scaling.Engine.Store;

/// <summary>
/// A text file with a key of an entry, or the digest of a blob, a line. It holds as long as the life that it is named by. A key covers what its entry refers to: its blobs, and the rows of a collection.
/// </summary>
/// <param name="path">The file; made when something is noted.</param>
internal sealed class UseList(string path)
{
    private readonly HashSet<string> _noted = [];

    /// <summary>Notes what is not noted yet; where gc took the list away, since this process was silent, all of it anew. When it returns, every host that opens the list sees it.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void Add(IEnumerable<string> names)
    {
        lock (_noted)
        {
            string[] fresh = [.. names.Where(n => !_noted.Contains(n))];
            if (fresh.Length > 0)
            {
                if (!TryAppend(fresh, create: _noted.Count == 0))
                {
                    TryAppend([.. _noted, .. fresh], create: true);
                }

                _noted.UnionWith(fresh);
            }
        }
    }

    /// <summary>Writes the list again if it was taken away.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void Restore()
    {
        lock (_noted)
        {
            if (_noted.Count > 0 && !File.Exists(path))
            {
                TryAppend([.. _noted], create: true);
            }
        }
    }

    /// <summary>What a list names; nothing where there is none.</summary>
    public static IEnumerable<string> Read(string path)
    {
        try
        {
            return File.ReadAllLines(path).Where(line => line.Length == 64);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <returns>False where it is not there, and was not to be made.</returns>
    private bool TryAppend(string[] names, bool create)
    {
        // Closing sends it to the server of a network file system; it need not outlast a loss of power, as the run does not.
        using var file = new SafeFileHandle(LibC.Open(path, LibC.ReadWrite | (create ? LibC.Create : 0) | LibC.Append | LibC.CloseOnExec, 0x1B4 /* rw-rw-r-- */), ownsHandle: true);
        if (file.IsInvalid)
        {
            return !create && Marshal.GetLastPInvokeError() == LibC.NoEntry ? false : throw FileFailure.Last($"cannot write {path}");
        }

        RandomAccess.Write(file, Encoding.ASCII.GetBytes(string.Concat(names.Select(n => n + "\n"))), 0);
        return true;
    }
}
