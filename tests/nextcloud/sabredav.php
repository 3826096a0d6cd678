<?php
// sabre/dav, the library that Nextcloud serves WebDAV with, as one of the servers of the tests. `servers.py` replaces the words in capitals.

require_once 'Sabre/autoload.php';

// Files with an ETag, which those of the library lack.
class TaggedFile extends \Sabre\DAV\FS\File
{
    public function getETag()
    {
        clearstatcache();
        return '"' . md5(filemtime($this->path) . md5_file($this->path)) . '"';
    }
}

class TaggedFolder extends \Sabre\DAV\FS\Directory
{
    public function getChild($name)
    {
        $path = $this->path . '/' . $name;
        if (!file_exists($path)) {
            throw new \Sabre\DAV\Exception\NotFound($name . ' is not there');
        }
        return is_dir($path) ? new TaggedFolder($path) : new TaggedFile($path);
    }
}

$server = new \Sabre\DAV\Server(new TaggedFolder('FOLDER'));
$server->setBaseUri('/');
$server->addPlugin(new \Sabre\DAV\Locks\Plugin(new \Sabre\DAV\Locks\Backend\File('STATE/locks')));
$server->exec();
