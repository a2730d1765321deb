// The checkpoints of a long action: only what is whole, and was saved by this very action, is gone on from.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Scaling.Sdk;

/// <summary>
/// The last checkpoint of an action, in its scratch. It is a file <c>checkpoint.NUMBER.DIGEST</c>, whose digest is of the action, the number and the content: one that was cut short, damaged or taken from another
/// action is set aside and told of, and the action goes on from an older one or begins anew.
/// </summary>
public sealed class Checkpoints
{
    private const string Prefix = "checkpoint.";
    private const string Unfinished = Prefix + "unfinished";
    private readonly string _folder;
    private readonly string _action;
    private readonly Action<string> _setAside;

    /// <summary>Of an action.</summary>
    /// <param name="folder">Its scratch; absolute.</param>
    /// <param name="action">Whatever tells it from others, such as its key.</param>
    /// <param name="setAside">Takes the path of a damaged one, and has to remove it from there.</param>
    public Checkpoints(string folder, string action, Action<string> setAside)
    {
        _folder = folder;
        _action = action;
        _setAside = setAside;
    }

    /// <summary>Path of the last whole checkpoint, to read; null where there is none. Reads it whole, and sets damaged ones aside.</summary>
    /// <exception cref="IOException">The scratch cannot be read.</exception>
    public string? Last()
    {
        foreach (var (path, number, digest) in Saved())
        {
            if (DigestOf(path, number) == digest)
            {
                return path;
            }

            _setAside(path);
        }

        return null;
    }

    /// <summary>Saves a checkpoint, flushed to the disk, and removes those before it. A kill at any moment leaves the new one, or the last.</summary>
    /// <param name="write">Writes the file whose path it is given, which is not there yet.</param>
    /// <exception cref="IOException">The disk is full, or the scratch is another's by now.</exception>
    public void Save(Action<string> write)
    {
        var before = Saved().ToList();
        int number = before.Count == 0 ? 1 : before[0].Number + 1;
        string unfinished = Path.Combine(_folder, Unfinished);
        Array.ForEach(Directory.GetFiles(_folder, Unfinished + "*"), File.Delete); // Of a kill, with what was beside it.
        write(unfinished);
        using (var file = File.Open(unfinished, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}.{DigestOf(unfinished, number)}")));
        before.ForEach(b => File.Delete(b.Path));
    }

    /// <summary>By number, the last first.</summary>
    private IEnumerable<(string Path, int Number, string Digest)> Saved() =>
        from path in Directory.EnumerateFiles(_folder, Prefix + "*")
        let parts = Path.GetFileName(path)[Prefix.Length..].Split('.')
        where parts.Length == 2
        let number = int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0
        where number is > 0 and < 1_000_000_000
        orderby number descending, parts[1] descending
        select (path, number, parts[1]);

    private string DigestOf(string path, int number)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_action}\n{number}\n")));
        using var file = File.OpenRead(path);
        byte[] part = new byte[1 << 20];
        for (int read; (read = file.Read(part)) > 0;)
        {
            digest.AppendData(part, 0, read);
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }
}
