// What a run uses of the store, noted before it looks, so that gc leaves it. STORE.md says why.
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

    /// <summary>Notes what is not noted yet. When it returns, every host that opens the list sees it.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void Add(IEnumerable<string> names)
    {
        lock (_noted)
        {
            string[] fresh = [.. names.Where(n => !_noted.Contains(n))];
            if (fresh.Length > 0)
            {
                Append(fresh);
                _noted.UnionWith(fresh);
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

    private void Append(string[] names)
    {
        // Closing sends it to the server of a network file system; it need not outlast a loss of power, as the run does not.
        using var file = new SafeFileHandle(LibC.Open(path, LibC.ReadWrite | LibC.Create | LibC.Append | LibC.CloseOnExec, 0x1B4 /* rw-rw-r-- */), ownsHandle: true);
        if (file.IsInvalid)
        {
            throw FileFailure.Last($"cannot write {path}");
        }

        RandomAccess.Write(file, Encoding.ASCII.GetBytes(string.Concat(names.Select(n => n + "\n"))), 0);
    }
}
