// A lock that ends with its process, whatever kills it.
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Scaling.Engine.Files;

/// <summary>An advisory lock on a file. Nobody has to clean up after a holder that died: the kernel releases it.</summary>
public sealed class FileLock : IDisposable
{
    private readonly string _path;
    private readonly bool _removeOnRelease;
    private readonly SafeFileHandle _handle;

    private FileLock(string path, SafeFileHandle handle, bool removeOnRelease)
    {
        _path = path;
        _handle = handle;
        _removeOnRelease = removeOnRelease;
    }

    /// <summary>Takes an exclusive lock, or gives null where another process holds it. The file is removed on release.</summary>
    /// <param name="path">The lock's file; made with its folder.</param>
    /// <exception cref="IOException">The file cannot be made, or its file system has no locks.</exception>
    public static FileLock? TryTake(string path)
    {
        while (true)
        {
            var handle = Open(path, LibC.ReadWrite | LibC.Create);
            if (!TryLock(path, handle, LibC.LockExclusive))
            {
                handle.Dispose();
                return null;
            }

            // The former holder may have removed the file between our open and our lock: then the lock is on nobody's file.
            if (IsStill(path, handle))
            {
                RandomAccess.SetLength(handle, 0);
                RandomAccess.Write(handle, Encoding.UTF8.GetBytes($"process {Environment.ProcessId} on {Environment.MachineName}"), 0);
                return new FileLock(path, handle, removeOnRelease: true);
            }

            handle.Dispose();
        }
    }

    /// <summary>Takes a lock that many may share, or that one has alone; null where it cannot be had now. The file stays.</summary>
    /// <param name="path">The lock's file; made with its folder.</param>
    /// <param name="alone">Exclusive instead of shared.</param>
    public static FileLock? TryTakeLasting(string path, bool alone)
    {
        var handle = Open(path, LibC.ReadWrite | LibC.Create);
        if (TryLock(path, handle, alone ? LibC.LockExclusive : LibC.LockShared, orElse: true))
        {
            return new FileLock(path, handle, removeOnRelease: false);
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Who holds the lock, in words.</summary>
    /// <param name="path">The lock's file.</param>
    public static string Holder(string path)
    {
        try
        {
            using var handle = Open(path, LibC.ReadOnly);
            byte[] text = new byte[256];
            int length = RandomAccess.Read(handle, text, 0);
            return length > 0 ? Encoding.UTF8.GetString(text, 0, length) : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }

    /// <summary>Releases the lock.</summary>
    public void Dispose()
    {
        if (_removeOnRelease && !_handle.IsClosed)
        {
            File.Delete(_path);
        }

        _handle.Dispose();
    }

    /// <summary>Opens without .NET's own share lock, which would stand in the way of ours.</summary>
    private static SafeFileHandle Open(string path, int flags)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        int descriptor = LibC.Open(path, flags | LibC.CloseOnExec, 0x1B4 /* rw-rw-r-- */);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"cannot open the lock {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>False where somebody else holds it. A file system without locks is an error: waiting for a holder would never end; unless it will do without.</summary>
    private static bool TryLock(string path, SafeFileHandle handle, int kind, bool orElse = false)
    {
        if (LibC.Lock((int)handle.DangerousGetHandle(), kind | LibC.LockNonBlocking) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == LibC.WouldBlock ? false
            : orElse && Marshal.GetLastPInvokeError() is LibC.NoSuchCall or LibC.NotSupported ? true
            : throw new IOException($"cannot lock {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private static bool IsStill(string path, SafeFileHandle handle) =>
        FileIdentity.TryOf(path, out var named)
        && FileIdentity.TryOf($"/proc/self/fd/{handle.DangerousGetHandle()}", out var held)
        && (named.Device, named.Inode) == (held.Device, held.Inode);
}
